import { describe, expect, it } from 'vitest'
import { RateLimiter } from '../../src/service/rate-limit.ts'

const second = (first: string, then: string): boolean => {
  const limiter = new RateLimiter({ burst: 1, perSecond: 0.001 })
  expect(limiter.admits(first, 0)).toBe(true)
  return limiter.admits(then, 0)
}

describe('the limit of requests', () => {
  it.each([
    ['one address', '192.0.2.1', '192.0.2.1'],
    ['one IPv4 address, written twice', '192.0.2.1', '::ffff:192.0.2.1'],
    ['one IPv6 network', '2001:db8:0:7::1', '2001:db8:0:7:ffff::9'],
    ['one IPv6 network that ends in zeros', '2001:db8::1', '2001:db8:0:0:9::'],
    ['one link', 'fe80::1%eth0', 'fe80::2%eth1'],
  ])('is shared by %s', (_, first, then) => {
    expect(second(first, then)).toBe(false)
  })

  it.each([
    ['another IPv4 address', '192.0.2.1', '192.0.2.2'],
    ['another IPv4 address, both written as IPv6', '::ffff:192.0.2.1', '::ffff:192.0.2.2'],
    ['another IPv6 network', '2001:db8:0:7::1', '2001:db8:0:8::1'],
    ['what is no address', 'proxy', 'unknown'],
  ])('is not that of %s', (_, first, then) => {
    expect(second(first, then)).toBe(true)
  })
})
