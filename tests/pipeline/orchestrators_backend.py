"""A stand-in for Kubeflow's driver and launcher: runs a specification on this machine.

It does to a task what the open-source backend (2.x) does, as far as a task can tell:
resolves its inputs, names its outputs, puts the executor's input in place of `{{$}}`,
starts the container's command, and merges what the executor put into its output file.
Input artifacts come without a type, as they do there. There is no cache.
"""

import json
import os
import pathlib
import subprocess
import sys


class Backend:
    """Runs tasks one by one, in the order of the specification."""

    def __init__(self, spec: dict, folder: pathlib.Path, parameters: dict[str, str]):
        self._spec = spec
        self._folder = folder
        definitions = spec["root"]["inputDefinitions"]["parameters"]
        self.parameters = {
            name: parameters.get(name, definition.get("defaultValue"))
            for name, definition in definitions.items()
        }
        self.outputs: dict[str, dict] = {}
        """Task to `parameters` and `artifacts` by key."""
        self.exit_codes: dict[str, int] = {}

    def run_all(self) -> None:
        """Runs the tasks until one of them fails."""
        for name in self._spec["root"]["dag"]["tasks"]:
            self.run(name)
            if self.exit_codes[name] != 0:
                return

    def run(self, name: str) -> None:
        """Runs one task, whose upstream tasks must have run."""
        task = self._spec["root"]["dag"]["tasks"][name]
        missing = set(task.get("dependentTasks", ())) - set(self.outputs)
        assert not missing, f"{name} comes before {missing}"
        component = self._spec["components"][task["componentRef"]["name"]]
        label = component["executorLabel"]
        container = self._spec["deploymentSpec"]["executors"][label]["container"]
        executor_input = self._executor_input(name, task, component)
        output_file = pathlib.Path(executor_input["outputs"]["outputFile"])
        output_file.parent.mkdir(parents=True)
        for found in executor_input["outputs"]["artifacts"].values():
            # An object store has no folders that would have to be made first.
            pathlib.Path(found["artifacts"][0]["uri"]).mkdir(parents=True)
        command = [
            part.replace("{{$}}", json.dumps(executor_input))
            for part in (*container["command"], *container.get("args", ()))
        ]
        assert command[0] == "python"
        environment = {e["name"]: e["value"] for e in container.get("env", ())}
        log = self._folder / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as file:
            finished = subprocess.run(
                [sys.executable, *command[1:]],
                cwd=self._folder,
                env={**os.environ, **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
            )
        self.exit_codes[name] = finished.returncode
        if finished.returncode == 0:
            output = json.loads(output_file.read_text()) if output_file.exists() else {}
            self.outputs[name] = self._published(executor_input, output)

    def log(self, name: str) -> str:
        """Returns what a task printed."""
        return (self._folder / "logs" / f"{name}.log").read_text()

    def _executor_input(self, name: str, task: dict, component: dict) -> dict:
        inputs = task.get("inputs", {})
        outputs = component.get("outputDefinitions", {})
        place = self._folder / "artifacts" / name
        return {
            "inputs": {
                "parameterValues": {
                    key: self._parameter(source)
                    for key, source in inputs.get("parameters", {}).items()
                },
                "artifacts": {
                    key: {"artifacts": [self._artifact(source["taskOutputArtifact"])]}
                    for key, source in inputs.get("artifacts", {}).items()
                },
            },
            "outputs": {
                "parameters": {
                    key: {"outputFile": str(self._folder / "parameters" / name / key)}
                    for key in outputs.get("parameters", {})
                },
                "artifacts": {
                    key: {
                        "artifacts": [
                            {
                                "name": key,
                                "uri": str(place / key),
                                "type": definition["artifactType"],
                            }
                        ]
                    }
                    for key, definition in outputs.get("artifacts", {}).items()
                },
                "outputFile": str(self._folder / "outputs" / name / "output.json"),
            },
        }

    def _parameter(self, source: dict) -> object:
        if "runtimeValue" in source:
            return source["runtimeValue"]["constant"]
        if "componentInputParameter" in source:
            return self.parameters[source["componentInputParameter"]]
        output = source["taskOutputParameter"]
        produced = self.outputs[output["producerTask"]]["parameters"]
        return produced[output["outputParameterKey"]]

    def _artifact(self, output: dict) -> dict:
        artifact = self.outputs[output["producerTask"]]["artifacts"]
        found = dict(artifact[output["outputArtifactKey"]])
        del found["type"]
        return found

    @staticmethod
    def _published(executor_input: dict, output: dict) -> dict:
        """Merges the executor's output into what was named beforehand."""
        artifacts = {}
        for key, given in executor_input["outputs"]["artifacts"].items():
            artifact = {"metadata": {}, **given["artifacts"][0]}
            for found in output.get("artifacts", {}).get(key, {}).get("artifacts", []):
                artifact["uri"] = found.get("uri") or artifact["uri"]
                artifact["metadata"].update(found.get("metadata", {}))
            artifacts[key] = artifact
        parameters = output.get("parameterValues", {})
        assert set(executor_input["outputs"]["parameters"]) <= set(parameters)
        return {"artifacts": artifacts, "parameters": parameters}
