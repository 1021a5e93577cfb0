/** The commands that ask a running ledger, and how its answers read. */
@NullMarked
package io.connectionledger.app.query;

import org.jspecify.annotations.NullMarked;
