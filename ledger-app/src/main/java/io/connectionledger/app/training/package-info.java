/** What a server does all day, once, before {@code ./ledger prepare} keeps what Java learned. */
@NullMarked
package io.connectionledger.app.training;

import org.jspecify.annotations.NullMarked;
