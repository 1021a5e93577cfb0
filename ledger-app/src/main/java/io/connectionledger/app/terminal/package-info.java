/** What a command does with the terminal: its size, pictures in place, and the signal that ends. */
@NullMarked
package io.connectionledger.app.terminal;

import org.jspecify.annotations.NullMarked;
