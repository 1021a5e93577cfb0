/** What is asked for on the command line, and how results are shown. */
@NullMarked
package io.connectionledger.bench.figures;

import org.jspecify.annotations.NullMarked;
