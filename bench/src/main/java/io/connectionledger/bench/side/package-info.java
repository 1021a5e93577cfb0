/** The ledger and what users would take instead, each as the processes that it takes. */
@NullMarked
package io.connectionledger.bench.side;

import org.jspecify.annotations.NullMarked;
