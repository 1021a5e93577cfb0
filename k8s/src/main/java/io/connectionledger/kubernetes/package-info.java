/** What the ledger reads from and writes to Kubernetes. */
@NullMarked
package io.connectionledger.kubernetes;

import org.jspecify.annotations.NullMarked;
