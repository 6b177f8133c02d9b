/** The OpenAPI document held against what is really sent and answered, in every test that speaks HTTP through here. */
package tailrace.openapi;
