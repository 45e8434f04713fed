import pytest

from components.trainer import precision

X86 = """processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: bf16 avx512_bf16 in a name is no flag
flags\t\t: fpu sse4_2 avx2 {} avx512vl
bugs\t\t: spectre_v1
"""


@pytest.mark.parametrize(
    ("cpu_info", "expected"),
    [
        (X86.format("avx512_bf16"), True),
        (X86.format("amx_bf16"), True),
        (X86.format("avx512_bf16x"), False),
        (X86.format(""), False),
        ("processor\t: 0\nFeatures\t: fp asimd i8mm bf16 dgh\n", True),
        ("", False),
    ],
)
def test_bfloat16_products_are_a_flag_of_the_processor(cpu_info, expected):
    assert precision.multiplies_bfloat16(cpu_info) is expected


def test_this_machine_is_asked_by_default(tmp_path, monkeypatch):
    file = tmp_path / "cpuinfo"
    file.write_text(X86.format("amx_bf16"))
    monkeypatch.setattr(precision, "_CPU_INFO", str(file))

    assert precision.multiplies_bfloat16()
    file.unlink()
    assert not precision.multiplies_bfloat16()
