/** What is counted, and the page on which it stands. */
@NullMarked
package io.connectionledger.admission.metrics;

import org.jspecify.annotations.NullMarked;
