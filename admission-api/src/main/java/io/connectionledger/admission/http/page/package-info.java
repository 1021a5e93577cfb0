/** The page that shows the ledger in a browser. */
@NullMarked
package io.connectionledger.admission.http.page;

import org.jspecify.annotations.NullMarked;
