# Two images, on Debian 13 with the newer locked set:
#   docker build --tag registry.example.com/heed:0.2.0 .
#     runs everything; Kubeflow runs its steps in it
#   docker build --tag registry.example.com/heed-serving:0.2.0 --target serving .
#     `heed serve`, `heed explore` and `heed recommend`, without TFX and Beam
# Compile the pipeline from the same commit and with the same set: each step checks that
# its schema is the one that the pipeline was compiled with.
FROM python:3.13-slim-trixie AS build
# pyfarmhash, which TFX asks for, is built from source.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends g++ \
 && rm -rf /var/lib/apt/lists/* \
 && pip install --no-cache-dir uv \
 && uv venv /opt/heed
WORKDIR /src
COPY requirements ./requirements
ENV VIRTUAL_ENV=/opt/heed

FROM build AS build-serving
RUN uv pip install --no-cache --compile-bytecode --require-hashes --no-deps \
      --requirement requirements/py312-serving.lock
COPY . .
# The wheel is built with the locked setuptools: nothing is fetched here.
RUN uv pip install --no-cache --offline --no-deps --no-build-isolation .

FROM build AS build-training
# All that the steps need of kfp are its protocol buffers, without its client.
RUN sed -n '/^kfp-pipeline-spec==/,/[^\\]$/p' requirements/py312-orchestrators.lock \
      > kubeflow.lock \
 && uv pip install --no-cache --compile-bytecode --require-hashes --no-deps \
      --requirement requirements/py312.lock --requirement kubeflow.lock
COPY . .
RUN uv pip install --no-cache --offline --no-deps --no-build-isolation .

FROM python:3.13-slim-trixie AS base
LABEL org.opencontainers.image.title="heed" \
      org.opencontainers.image.version="0.2.0" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.description="Retrieval recommendations that heed 'not interested'"
# TFRS refuses Keras 3, and the choice is made when TensorFlow loads.
ENV PATH="/opt/heed/bin:${PATH}" \
    TF_USE_LEGACY_KERAS=1 \
    TF_CPP_MIN_LOG_LEVEL=2 \
    PYTHONUNBUFFERED=1
# Kubeflow Pipelines asks for pods that do not run as root.
RUN useradd --uid 10001 --create-home heed
USER 10001
WORKDIR /home/heed
ENTRYPOINT ["heed"]
CMD ["--help"]

FROM base AS serving
COPY --from=build-serving /opt/heed /opt/heed

FROM base AS training
COPY --from=build-training /opt/heed /opt/heed
