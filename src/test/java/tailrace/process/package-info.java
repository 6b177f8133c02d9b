/**
 * Tests against the built jar as its users run it: real processes, real PostgreSQL, HTTP on loopback. Several classes
 * run at a time, each in a JVM of its own with a PostgreSQL of its own; what holds a time against a bound that a busy
 * machine would break is tagged {@code alone} and runs after the rest.
 */
package tailrace.process;
