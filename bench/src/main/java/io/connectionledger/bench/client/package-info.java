/** What puts load on a ledger: checks, access logs and followers of streams. */
@NullMarked
package io.connectionledger.bench.client;

import org.jspecify.annotations.NullMarked;
