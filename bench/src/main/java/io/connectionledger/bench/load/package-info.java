/** Measures a running ledger, which is a process of its own, as is the load. */
@NullMarked
package io.connectionledger.bench.load;

import org.jspecify.annotations.NullMarked;
