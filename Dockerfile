# The image in which Kubeflow runs the steps; `heed serve` runs in it as well.
#   docker build --tag registry.example.com/heed:0.1.0 .
# Compile the pipeline from the same commit: each step checks that its schema is the
# one that the pipeline was compiled with.
FROM python:3.10-slim AS build
RUN pip install --no-cache-dir uv && python -m venv /opt/heed
WORKDIR /src
COPY requirements.lock requirements-orchestrators.lock ./
# All that the steps need of kfp are its protocol buffers, without its client.
RUN sed -n '/^kfp-pipeline-spec==/,/[^\\]$/p' requirements-orchestrators.lock > kubeflow.lock \
 && uv pip install --no-cache --compile-bytecode --python /opt/heed/bin/python \
      --require-hashes --no-deps --requirement requirements.lock \
 && uv pip install --no-cache --compile-bytecode --python /opt/heed/bin/python \
      --require-hashes --no-deps --requirement kubeflow.lock
COPY . .
# The wheel is built with the locked setuptools: nothing is fetched here.
RUN /opt/heed/bin/python -m pip install --no-cache-dir --no-index --no-deps \
      --no-build-isolation .

FROM python:3.10-slim
LABEL org.opencontainers.image.title="heed" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.description="Retrieval recommendations that heed 'not interested'"
COPY --from=build /opt/heed /opt/heed
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
