/** The chart's alerts, judged by Prometheus' own tool. */
@NullMarked
package io.connectionledger.kubernetes.alerts;

import org.jspecify.annotations.NullMarked;
