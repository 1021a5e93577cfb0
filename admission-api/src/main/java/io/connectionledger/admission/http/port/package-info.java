/** The ports of the HTTP API: where they listen, and how much of a client's doings they bear. */
@NullMarked
package io.connectionledger.admission.http.port;

import org.jspecify.annotations.NullMarked;
