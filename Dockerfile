# Every command in one image, for runners that have Docker and no Python. A release names the base image by
# its digest (--build-arg PYTHON_IMAGE=python:3.13-slim@sha256:…) and is itself used by digest.
ARG PYTHON_IMAGE=python:3.13-slim
FROM ${PYTHON_IMAGE}

RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git \
    && rm -rf /var/lib/apt/lists/*

# The same lock, through the same door as on a runner; the environment is found here afterwards.
ENV PROMOTE_ACTIONS_CACHE=/opt/promote-actions/environment
WORKDIR /opt/promote-actions
COPY bin/ bin/
COPY requirements/run.txt requirements/pip.txt requirements/
RUN python3 -I -S bin/environment.py requirements/run.txt

COPY LICENSE pyproject.toml ./
COPY src/ src/
RUN python3 -m compileall -q bin src environment

# Starts as root and stays so for no longer than it takes to learn whom the runner's files belong to.
ENTRYPOINT ["python3", "-I", "-S", "/opt/promote-actions/bin/container.py"]
CMD ["--help"]
