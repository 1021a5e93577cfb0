/** The JSON of the HTTP API. */
@NullMarked
package io.connectionledger.admission.http.view;

import org.jspecify.annotations.NullMarked;
