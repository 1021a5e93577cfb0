/** The pods of the pools as Kubernetes knows them, one record for each slice. */
@NullMarked
package io.connectionledger.kubernetes.discovery;

import org.jspecify.annotations.NullMarked;
