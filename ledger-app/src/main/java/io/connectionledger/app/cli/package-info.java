/** The command line: what is typed, how it ends, and with which exit code. */
@NullMarked
package io.connectionledger.app.cli;

import org.jspecify.annotations.NullMarked;
