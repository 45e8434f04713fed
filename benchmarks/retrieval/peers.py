"""FAISS and hnswlib; runs in an environment of its own (`make setup-retrieval-peers`).

python -m benchmarks.retrieval.peers FOLDER NAME THREADS[,THREADS]
"""

from __future__ import annotations

import os
import sys

import faiss
import hnswlib
import numpy as np

from benchmarks.retrieval import measuring

_PROBES = (4, 8, 16, 32, 64, 128, 256, 512)
_EF = (100, 150, 200, 400, 800, 1_600)
# Twice hnswlib's default connections, and its default effort when building.
_M, _EF_CONSTRUCTION = 32, 100


def _leaves(candidate: np.ndarray) -> int:
    # FAISS's guideline: 4 to 16 times the root.
    return round(4 * len(candidate) ** 0.5)


def faiss_exact(folder: str, threads: list[int]) -> dict:
    """Exact search of FAISS."""
    candidate, query, truth = measuring.load(folder)
    flat = faiss.IndexFlatIP(candidate.shape[1])
    flat.add(candidate)
    few = query[: max(16, min(len(query), 2**25 // len(candidate)))]
    points = []
    for number in threads:
        faiss.omp_set_num_threads(number)
        points.append(
            measuring.point(
                {"threads": number},
                lambda: flat.search(few, measuring.K)[1],
                truth[: len(few)],
            )
        )
    return {"points": points}


def _ivf(index: faiss.Index, folder: str, threads: list[int], efforts) -> dict:
    candidate, query, truth = measuring.load(folder)
    faiss.omp_set_num_threads(os.cpu_count() or 1)
    with measuring.Build() as build:
        index.train(candidate)
        index.add(candidate)
    points = []
    for number in threads:
        faiss.omp_set_num_threads(number)
        for setting, arguments in efforts:
            points.append(
                measuring.point(
                    {"threads": number, **setting},
                    lambda arguments=arguments: index.search(
                        query, measuring.K, params=arguments
                    )[1],
                    truth,
                )
            )
    return {**build.report, "points": points}


def faiss_ivf_flat(folder: str, threads: list[int]) -> dict:
    """Inverted lists with the vectors themselves."""
    candidate, _, _ = measuring.load(folder)
    dim, leaves = candidate.shape[1], _leaves(candidate)
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(dim), dim, leaves, faiss.METRIC_INNER_PRODUCT
    )
    efforts = [({"nprobe": n}, faiss.SearchParametersIVF(nprobe=n)) for n in _PROBES]
    return _ivf(index, folder, threads, efforts)


def faiss_ivf_pq(folder: str, threads: list[int]) -> dict:
    """Inverted lists with 4-bit codes scanned by SIMD, then rescored exactly."""
    candidate, _, _ = measuring.load(folder)
    dim = candidate.shape[1]
    description = f"IVF{_leaves(candidate)},PQ{dim // 2}x4fs,RFlat"
    index = faiss.index_factory(dim, description, faiss.METRIC_INNER_PRODUCT)
    efforts = []
    for probes in _PROBES:
        for factor in (4, 10, 20):
            base = faiss.SearchParametersIVF(nprobe=probes)
            efforts.append(
                (
                    {"nprobe": probes, "k_factor": factor},
                    faiss.IndexRefineSearchParameters(
                        k_factor=factor, base_index_params=base
                    ),
                )
            )
    return _ivf(index, folder, threads, efforts)


def faiss_hnsw(folder: str, threads: list[int]) -> dict:
    """FAISS's graph."""
    candidate, _, _ = measuring.load(folder)
    index = faiss.IndexHNSWFlat(candidate.shape[1], _M, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = _EF_CONSTRUCTION
    efforts = [({"ef": ef}, faiss.SearchParametersHNSW(efSearch=ef)) for ef in _EF]
    return _ivf(index, folder, threads, efforts)


def hnswlib_graph(folder: str, threads: list[int]) -> dict:
    """The graph of hnswlib."""
    candidate, query, truth = measuring.load(folder)
    index = hnswlib.Index(space="ip", dim=candidate.shape[1])
    with measuring.Build() as build:
        index.init_index(len(candidate), M=_M, ef_construction=_EF_CONSTRUCTION)
        index.add_items(candidate, num_threads=os.cpu_count() or 1)
    points = []
    for number in threads:
        for ef in _EF:
            index.set_ef(ef)
            points.append(
                measuring.point(
                    {"threads": number, "ef": ef},
                    lambda number=number: index.knn_query(
                        query, k=measuring.K, num_threads=number
                    )[0].astype(np.int64),
                    truth,
                )
            )
    return {**build.report, "points": points}


CONTENDERS = {
    "faiss_exact": faiss_exact,
    "faiss_ivf_flat": faiss_ivf_flat,
    "faiss_ivf_pq": faiss_ivf_pq,
    "faiss_hnsw": faiss_hnsw,
    "hnswlib": hnswlib_graph,
}

if __name__ == "__main__":
    measuring.write(
        CONTENDERS[sys.argv[2]](sys.argv[1], [int(n) for n in sys.argv[3].split(",")])
    )
