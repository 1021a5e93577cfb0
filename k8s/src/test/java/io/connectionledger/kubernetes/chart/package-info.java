/** The chart: what Helm makes of it, and what a Kubernetes control plane says to that. */
@NullMarked
package io.connectionledger.kubernetes.chart;

import org.jspecify.annotations.NullMarked;
