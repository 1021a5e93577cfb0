/** What others may do to the ledger, and what that costs those who do nothing wrong. */
@NullMarked
package io.connectionledger.bench.abuse;

import org.jspecify.annotations.NullMarked;
