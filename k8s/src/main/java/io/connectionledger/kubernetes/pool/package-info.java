/** The custom resource ConnectionPool: what is wanted of pools, and what is said of them there. */
@NullMarked
package io.connectionledger.kubernetes.pool;

import org.jspecify.annotations.NullMarked;
