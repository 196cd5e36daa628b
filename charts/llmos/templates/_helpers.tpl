{{/* The name of everything in the release. */}}
{{- define "llmos.name" -}}
{{- if contains "llmos" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-llmos" (.Release.Name | trunc 44 | trimSuffix "-") }}{{ end }}
{{- end }}

{{- define "llmos.selector" -}}
app.kubernetes.io/name: llmos
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: proxy
{{- end }}

{{- define "llmos.labels" -}}
{{ include "llmos.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "llmos.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* The Secret with the certificate; empty: one by the platform's own authority. */}}
{{- define "llmos.tlsSecret" -}}
{{- if .Values.tls.existingSecret }}{{ .Values.tls.existingSecret }}{{ else if .Values.tls.certManager.enabled }}{{ include "llmos.name" . }}-tls{{ end }}
{{- end }}

{{/* The names by which clients get to the proxies. */}}
{{- define "llmos.tlsNames" -}}
{{- $name := include "llmos.name" . }}
{{- $names := list $name (printf "%s.%s" $name .Release.Namespace) (printf "%s.%s.svc" $name .Release.Namespace) (printf "%s.%s.svc.cluster.local" $name .Release.Namespace) }}
{{- if .Values.ingress.enabled }}{{ $names = append $names .Values.ingress.host }}{{ end }}
{{- concat $names .Values.tls.names | uniq | toJson }}
{{- end }}

{{/* What has to be so before anything of this chart can work. */}}
{{- define "llmos.check" -}}
{{- if ne .Release.Namespace "llmos-system" }}
{{- fail "the proxy works under the ServiceAccount llmos-proxy in llmos-system: helm install --namespace llmos-system" }}
{{- end }}
{{- if lookup "v1" "Namespace" "" "kube-system" }}
{{- if not (lookup "v1" "ServiceAccount" "llmos-system" "llmos-proxy") }}
{{- fail "llmos is not installed in this cluster: run \"llmos install\" first" }}
{{- end }}
{{- end }}
{{- end }}
