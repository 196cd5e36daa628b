"""helm, and a chart for it to install."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.kubectl import Done
from support.session import Session

SECONDS = 50
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer, maximum: 5, default: 1}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
TEMPLATES = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  labels: {app.kubernetes.io/managed-by: {{ .Release.Service }}}
data:
  greeting: {{ .Values.greeting | quote }}
  kube: {{ .Capabilities.KubeVersion.Version }}
  notebooks: {{ .Capabilities.APIVersions.Has "ml.llmos.ai/v1/Notebook" | quote }}
  looked: {{ lookup "v1" "Namespace" "" .Release.Namespace | dig "metadata" "name" "" | quote }}
---
{{- if .Values.secret }}
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}}
stringData: {password: {{ .Values.secret }}}
{{- end }}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: {{ .Release.Name }}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: {{ .Release.Name }}}
rules:
- apiGroups: [GROUP]
  resources: [widgets]
  verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: {{ .Release.Name }}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .Release.Name }}}
subjects:
- {kind: ServiceAccount, name: {{ .Release.Name }}}
---
apiVersion: GROUP/v1
kind: Widget
metadata: {name: {{ .Release.Name }}}
spec: {size: {{ .Values.size }}}
"""
VALUES = """
greeting: hello
secret: hush
size: 2
"""


def write_chart(folder: Path, group: str) -> Path:
    """A chart with a kind of its own and one object of each everyday kind."""
    chart = folder / "chart"
    files = {
        "Chart.yaml": "{apiVersion: v2, name: widgets, version: 1.0.0, appVersion: '7'}",
        "values.yaml": VALUES,
        "crds/widgets.yaml": CRD.replace("GROUP", group),
        "templates/all.yaml": TEMPLATES.replace("GROUP", group),
        "templates/NOTES.txt": "{{ .Release.Name }} says {{ .Values.greeting }}.",
    }
    for name, text in files.items():
        path = chart / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())
    return chart


@dataclass(frozen=True)
class Helm:
    """Runs helm as a user, in one namespace."""

    binary: Path
    home: Path
    user: Session
    namespace: str

    def __call__(self, *arguments: str) -> Done:
        """Run a command to its end."""
        config = self.user.kubeconfig(self.home)
        done = subprocess.run(
            [str(self.binary), "--kubeconfig", str(config), "-n", self.namespace, *arguments],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home)},
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def json(self, *arguments: str) -> Any:
        """What a command says as JSON."""
        return json.loads(self(*arguments, "-o", "json").ok())
