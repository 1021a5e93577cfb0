{{/* What all names begin with. */}}
{{- define "ledger.name" -}}
{{ .Release.Name | trunc 45 | trimSuffix "-" }}
{{- end }}

{{/* What selects the pods of a component: (list root component). */}}
{{- define "ledger.selector" -}}
{{- $root := first . -}}
app.kubernetes.io/name: connection-ledger
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ last . }}
{{- end }}

{{/* The labels of an object of a component: (list root component). */}}
{{- define "ledger.labels" -}}
{{- $root := first . -}}
{{ include "ledger.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- end }}

{{/* The strictest pod security standard, for pods that write to volumes alone. */}}
{{- define "ledger.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "ledger.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* Where pods may run, and with which secrets for images: (list root component values). */}}
{{- define "ledger.placement" -}}
{{- $values := last . -}}
{{- with (first .).Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- $labels := include "ledger.selector" (list (first .) (index . 1)) }}
{{- $spreads := list (list "kubernetes.io/hostname" $values.spread.hostname) (list "topology.kubernetes.io/zone" $values.spread.zone) }}
{{- if or (ne $values.spread.hostname "none") (ne $values.spread.zone "none") }}
topologySpreadConstraints:
{{- range $spreads }}
{{- if ne (last .) "none" }}
  - maxSkew: 1
    topologyKey: {{ first . }}
    whenUnsatisfiable: {{ last . }}
    labelSelector:
      matchLabels: {{- $labels | nindent 8 }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* A volume claim's spec: the values size and className. */}}
{{- define "ledger.claim" -}}
accessModes: [ReadWriteOnce]
{{- with .className }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests: { storage: {{ .size }} }
{{- end }}

{{- define "ledger.bootstrapServers" -}}
{{- if eq .Values.kafka.mode "external" -}}
{{ .Values.kafka.bootstrapServers }}
{{- else if eq .Values.kafka.mode "strimzi" -}}
{{ include "ledger.name" . }}-kafka-bootstrap:9092
{{- else -}}
{{ include "ledger.name" . }}-kafka:9092
{{- end -}}
{{- end }}
