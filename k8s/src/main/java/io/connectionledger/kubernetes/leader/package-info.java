/** The one instance that writes to the API server, and how often. */
@NullMarked
package io.connectionledger.kubernetes.leader;

import org.jspecify.annotations.NullMarked;
