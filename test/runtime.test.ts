import { expect, test } from 'vitest'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

test('the tests run on a Node that the package supports', () => {
  expect(major * 100 + minor).toBeGreaterThanOrEqual(2213)
})

test('the tests run on the Node that .ci/run asked for', () => {
  expect(String(major)).toBe(process.env.VOUCHSAFE_NODE_MAJOR ?? String(major))
})
