/** Server-sent events: each change of a pool, told once to all who follow it. */
@NullMarked
package io.connectionledger.admission.stream;

import org.jspecify.annotations.NullMarked;
