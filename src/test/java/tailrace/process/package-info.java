/**
 * Tests against the built jar as its users run it: real processes, real PostgreSQL, HTTP on loopback.
 */
package tailrace.process;
