{{/* Envoy's bootstrap: envoy/envoy.yaml of the repository, where each line that both have is explained, for the cluster. */}}
{{- define "ledger.envoy" -}}
{{- $name := include "ledger.name" . -}}
{{- $hosts := list -}}
{{- $names := list -}}
{{- range .Values.envoy.pools -}}
{{- $hosts = concat $hosts (.hosts | default (list "*")) -}}
{{- if has .name $names -}}
{{- fail (printf "envoy.pools: pool %s is there twice; give it several hosts instead" .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
# The node's id is the pod's name, from the command line.
node:
  cluster: {{ $name }}

admin:
  address: { socket_address: { address: 127.0.0.1, port_value: 9901 } }
  # A full Envoy must still be told to stop.
  ignore_global_conn_limit: true

overload_manager:
  refresh_interval: 0.25s
  resource_monitors:
  - name: envoy.resource_monitors.global_downstream_max_connections
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig
      # Bounds memory: each holds at most two buffers of 32 KiB.
      max_active_downstream_connections: {{ .Values.envoy.maxConnections | int }}

static_resources:
  listeners:
  - name: websockets
    address: { socket_address: { address: 0.0.0.0, port_value: 8080 } }
    per_connection_buffer_limit_bytes: 32768
    # A client that vanished (no FIN, no RST) is closed after 30 + 3 × 10 s.
    tcp_keepalive: { keepalive_time: 30, keepalive_interval: 10, keepalive_probes: 3 }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: websockets
          codec_type: AUTO
          upgrade_configs: [{ upgrade_type: websocket }]
          http2_protocol_options:
            allow_connect: true
            max_concurrent_streams: 100
            initial_stream_window_size: 65536
            initial_connection_window_size: 1048576
            connection_keepalive: { interval: 30s, timeout: 10s }

          # Nobody is internal. (Do not add an internal_address_config without cidr_ranges: Envoy 1.40 then trusts everyone.)
          use_remote_address: true
          {{- with .Values.envoy.trustedProxies }}
          xff_num_trusted_hops: {{ . }}
          {{- end }}
          # First of all, before routing: whatever could steer placement, pretend that the ledger had failed, or make the router
          # retry on pods that nobody reserved.
          early_header_mutation_extensions:
          - name: envoy.http.early_header_mutation.header_mutation
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation
              mutations:
              - remove_on_match: { key_matcher: { prefix: x-ledger-, ignore_case: true } }
              - remove_on_match: { key_matcher: { prefix: x-envoy-, ignore_case: true } }
          normalize_path: true
          merge_slashes: true

          # A WebSocket may be silent for hours.
          stream_idle_timeout: 0s
          request_headers_timeout: 10s

          access_log_options:
            # The heartbeat: lease.heartbeat of the ledger.
            access_log_flush_interval: {{ .Values.ledger.lease.heartbeat }}
            flush_log_on_tunnel_successfully_established: true
          access_log:
          - name: envoy.access_loggers.http_grpc
            filter:
              header_filter:
                header: { name: upgrade, string_match: { exact: websocket, ignore_case: true } }
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig
              common_config:
                log_name: connection-ledger
                transport_api_version: V3
                buffer_flush_interval: 0.2s
                buffer_size_bytes: 1048576
                grpc_service: { envoy_grpc: { cluster_name: als }, timeout: 0s }
              additional_request_headers_to_log: [upgrade]

          http_filters:
          # Pod addresses are not for clients.
          - name: envoy.filters.http.header_mutation
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
              mutations:
                response_mutations:
                - remove: x-ledger-pod

          # Asks the ledger: may this connection be opened, and on which pod?
          - name: envoy.filters.http.ext_authz
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
              transport_api_version: V3
              stat_prefix: admission
              grpc_service:
                envoy_grpc: { cluster_name: authz }
                timeout: 1s
                retry_policy:
                  num_retries: 1
                  retry_on: connect-failure,refused-stream,reset,cancelled,unavailable
                  retry_back_off: { base_interval: 0.001s, max_interval: 0.8s }
                  retry_host_predicate:
                  - name: envoy.retry_host_predicates.previous_hosts
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate
                  host_selection_retry_max_attempts: 100
              # All that the ledger reads; cookies and credentials stay here.
              allowed_headers:
                patterns:
                {{- range concat (list "upgrade" "connection" "x-request-id") .Values.envoy.allowedHeaders }}
                - { exact: {{ . }}, ignore_case: true }
                {{- end }}
              failure_mode_allow: {{ .Values.envoy.failOpen.enabled }}
              failure_mode_allow_header_add: true
              status_on_error: { code: ServiceUnavailable }

          # Bounds what passes while the ledger is away: each route has its bucket.
          - name: envoy.filters.http.local_ratelimit
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
              stat_prefix: fail_open

          # Places the connection on the pod that the ledger named, or nowhere.
          - name: envoy.filters.http.stateful_session
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.stateful_session.v3.StatefulSession
              strict: true
              stat_prefix: placement
              status_on_strict_destination_not_found: 503
              session_state:
                name: envoy.http.stateful_session.header
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState
                  name: x-ledger-pod

          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router

          route_config:
            name: websockets
            ignore_port_in_host_matching: true
            virtual_hosts:
            {{- range $host := uniq $hosts }}
            - name: {{ $host | quote }}
              domains: [{{ $host | quote }}]
              routes:
              {{- range $.Values.envoy.pools }}
              {{- if has $host (.hosts | default (list "*")) }}
              {{- include "ledger.envoy.routes" (list $ .) | nindent 14 }}
              {{- end }}
              {{- end }}
            {{- else }} []
            {{- end }}

  # What may be seen of the admin port: whether this Envoy is ready, and its metrics.
  - name: health
    address: { socket_address: { address: 0.0.0.0, port_value: 9902 } }
    # A full Envoy is still asked.
    ignore_global_conn_limit: true
    per_connection_buffer_limit_bytes: 32768
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: health
          request_headers_timeout: 5s
          common_http_protocol_options: { idle_timeout: 60s }
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
          route_config:
            name: health
            virtual_hosts:
            - name: any
              domains: ["*"]
              routes:
              {{- range list "/ready" "/stats/prometheus" }}
              - match: { path: {{ . }}, headers: [{ name: ":method", string_match: { exact: GET } }] }
                route: { cluster: admin, timeout: 10s }
              {{- end }}

  clusters:
  {{- range .Values.envoy.pools }}
  # A pool. Its pods come from the ledger, so that Envoy and ledger never disagree about them.
  - name: {{ .name }}
    type: EDS
    eds_cluster_config:
      service_name: {{ .name }}
      eds_config:
        resource_api_version: V3
        # Longer than a ledger takes to start, so that the two may start together.
        initial_fetch_timeout: 15s
        api_config_source:
          api_type: GRPC
          transport_api_version: V3
          set_node_on_first_message_only: true
          grpc_services:
          - envoy_grpc:
              cluster_name: xds
              retry_policy: { retry_back_off: { base_interval: 0.5s, max_interval: 2s } }
    connect_timeout: 2.5s
    per_connection_buffer_limit_bytes: 32768
    upstream_connection_options:
      tcp_keepalive: { keepalive_time: 30, keepalive_interval: 10, keepalive_probes: 3 }
    circuit_breakers:
      # Every WebSocket is a connection and a request for all its life: the ledger limits, not these.
      thresholds:
      - { max_connections: 1000000, max_pending_requests: 1000000, max_requests: 1000000, max_retries: 0 }
      # The backstop for a ledger that is away.
      per_host_thresholds:
      - { max_connections: {{ .maxConnectionsPerPod | default 10000 | int }} }
    common_lb_config:
      healthy_panic_threshold: { value: 0 }
      override_host_status: { statuses: [HEALTHY, UNKNOWN, DEGRADED] }
    load_balancing_policy:
      policies:
      - typed_extension_config:
          name: envoy.load_balancing_policies.override_host
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost
            override_host_sources:
            - metadata: { key: envoy.filters.http.ext_authz, path: [{ key: pod }] }
            fallback_policy:
              policies:
              - typed_extension_config:
                  name: envoy.load_balancing_policies.least_request
                  typed_config:
                    "@type": type.googleapis.com/envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest
  {{- end }}

  # The ledger's three services: all of its instances, by the name that resolves to them.
  - name: als
    type: STRICT_DNS
    dns_lookup_family: V4_PREFERRED
    connect_timeout: 1s
    # What is sent to an instance that is gone is lost until the next heartbeat: a stream should not begin there.
    health_checks:
    - { timeout: 0.5s, interval: 1s, no_traffic_interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, tcp_health_check: {} }
    common_lb_config: { healthy_panic_threshold: { value: 1 } }
    {{- include "ledger.envoy.upstream" (list . "als" 9001) | nindent 4 }}

  - name: authz
    type: STRICT_DNS
    dns_lookup_family: V4_PREFERRED
    connect_timeout: 0.5s
    lb_policy: LEAST_REQUEST
    # An instance says NOT_SERVING while it is not ready, and from the moment it is told to stop.
    health_checks:
    - grpc_health_check: {}
      interval: 1s
      no_traffic_interval: 1s
      timeout: 0.5s
      unhealthy_threshold: 2
      healthy_threshold: 1
    common_lb_config: { healthy_panic_threshold: { value: 1 } }
    circuit_breakers:
      thresholds:
      - { max_connections: 1000000, max_pending_requests: 1000000, max_requests: 1000000, max_retries: 1000000 }
    {{- include "ledger.envoy.upstream" (list . "authz" 9002) | nindent 4 }}

  - name: xds
    type: STRICT_DNS
    dns_lookup_family: V4_PREFERRED
    connect_timeout: 1s
    {{- include "ledger.envoy.upstream" (list . "xds" 18000) | nindent 4 }}

  - name: admin
    type: STATIC
    connect_timeout: 1s
    load_assignment:
      cluster_name: admin
      endpoints:
      - lb_endpoints:
        - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: 9901 } } }
{{- end }}

{{/* The routes of a pool: (list root pool). */}}
{{- define "ledger.envoy.routes" -}}
{{- $pool := last . -}}
{{- $failOpen := merge (deepCopy ($pool.failOpen | default dict)) (first .).Values.envoy.failOpen -}}
{{- $path := $pool.pathPrefix | default "/" | eq "/" | ternary "prefix" "path_separated_prefix" -}}
# WebSockets. The route's name must be the pool's: it is all that the access log says of where one wanted to go that Envoy turned
# away by itself.
- name: {{ $pool.name }}
  match:
    {{ $path }}: {{ $pool.pathPrefix | default "/" }}
    headers: [{ name: upgrade, string_match: { exact: websocket, ignore_case: true } }]
  # No retry_policy: a retry would land on a pod that nobody reserved.
  route: { cluster: {{ $pool.name }}, timeout: 0s }
  request_headers_to_add:
  # WebSockets over HTTP/2 have no key, yet a pod that speaks HTTP/1.1 insists on one.
  - header: { key: sec-websocket-key, value: Y29ubmVjdGlvbmxlZGdlcg== }
    append_action: ADD_IF_ABSENT
  typed_per_filter_config:
    envoy.filters.http.ext_authz:
      "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
      check_settings: { context_extensions: { pool: {{ $pool.name }} } }
    envoy.filters.http.local_ratelimit:
      "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
      stat_prefix: fail_open
      # The filter insists on a bucket for everything else: a million a second is none.
      token_bucket: { max_tokens: 1000000, tokens_per_fill: 1000000, fill_interval: 1s }
      filter_enabled: { default_value: { numerator: 100, denominator: HUNDRED } }
      filter_enforced: { default_value: { numerator: 100, denominator: HUNDRED } }
      enable_retry_after_header: true
      rate_limits:
      - actions:
        - header_value_match:
            descriptor_key: admission
            descriptor_value: failed
            expect_match: true
            headers: [{ name: x-envoy-auth-failure-mode-allowed, string_match: { exact: "true" } }]
      descriptors:
      - entries: [{ key: admission, value: failed }]
        token_bucket: { max_tokens: {{ $failOpen.burst | int }}, tokens_per_fill: {{ $failOpen.connectionsPerSecond | int }}, fill_interval: 1s }
# Everything else: neither asked nor counted, and never a WebSocket.
- match: { {{ $path }}: {{ $pool.pathPrefix | default "/" }} }
  route:
    cluster: {{ $pool.name }}
    timeout: 15s
    upgrade_configs: [{ upgrade_type: websocket, enabled: false }]
  typed_per_filter_config:
    envoy.filters.http.ext_authz:
      "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
      disabled: true
    envoy.filters.http.stateful_session:
      "@type": type.googleapis.com/envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute
      disabled: true
{{- end }}

{{/* What the ledger's clusters share: (list name cluster port). */}}
{{- define "ledger.envoy.upstream" -}}
{{- $root := first . -}}
# Finds a ledger whose machine vanished within 15 s, half of what a lease lasts without heartbeats.
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config:
      http2_protocol_options:
        connection_keepalive: { interval: 10s, timeout: 5s }
{{- if $root.Values.tls.envoySecret }}
transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
    sni: {{ $root.Values.tls.ledgerName }}
    common_tls_context:
      tls_params: { tls_minimum_protocol_version: TLSv1_2 }
      alpn_protocols: [h2]
      tls_certificate_sds_secret_configs:
      - name: envoy
        sds_config: { resource_api_version: V3, path_config_source: { path: /etc/envoy/certificate.yaml } }
      combined_validation_context:
        default_validation_context:
          match_typed_subject_alt_names: [{ san_type: DNS, matcher: { exact: {{ $root.Values.tls.ledgerName }} } }]
        validation_context_sds_secret_config:
          name: authorities
          sds_config: { resource_api_version: V3, path_config_source: { path: /etc/envoy/authorities.yaml } }
{{- end }}
load_assignment:
  cluster_name: {{ index . 1 }}
  endpoints:
  - lb_endpoints:
    - endpoint: { address: { socket_address: { address: {{ include "ledger.name" $root }}-instances, port_value: {{ last . }} } } }
{{- end }}
