/** The query API over HTTP; {@link io.connectionledger.admission.http.QueryServer} starts it. */
@NullMarked
package io.connectionledger.admission.http;

import org.jspecify.annotations.NullMarked;
