import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { type HttpQuestion, networkExchange } from '../../src/collateral/index.ts'
import type { FetchedObject, FetchObject } from '../../src/collateral/objects.ts'
import { until } from '../../src/collateral/until.ts'
import { ok } from '../../src/core/outcome.ts'

const REQUEST = { kind: 'intel-root-crl' } as const
const OBJECT: FetchedObject = { request: REQUEST, files: [], fetchedAt: 0 }

it('waits for an object until a signal is given, and not at all after it', async () => {
  let bring = () => {}
  let asked = 0
  const slow: FetchObject = () => {
    asked++
    return new Promise((resolve) => {
      bring = () => resolve(ok(OBJECT))
    })
  }
  const patience = new AbortController()
  const fetch = until(slow, patience.signal, 'COLLATERAL_DEADLINE_PASSED')
  const inTime = fetch(REQUEST)
  bring()
  expect(await inTime).toEqual(ok(OBJECT))
  const late = fetch(REQUEST)
  patience.abort()
  const gone = { faults: [{ code: 'COLLATERAL_DEADLINE_PASSED', path: 'intel-root-crl' }] }
  expect(await late).toMatchObject(gone)
  bring()
  expect([await fetch(REQUEST), asked]).toMatchObject([gone, 2])
})

it('hands on what is an error of ours', async () => {
  const broken: FetchObject = async () => {
    throw new TypeError('names no object')
  }
  const fetch = until(broken, new AbortController().signal, 'COLLATERAL_DEADLINE_PASSED')
  await expect(fetch(REQUEST)).rejects.toThrow('names no object')
})

it('an exchange that is stopped ends what is under way, and asks nothing more', async () => {
  let asked = 0
  const server = createServer(() => {
    asked++
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stopping = new AbortController()
  const exchange = networkExchange({ signal: stopping.signal })
  const question: HttpQuestion = {
    ...{ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, method: 'GET' as const, headers: {} },
    ...{ body: undefined, maxBytes: 1, timeoutMilliseconds: 60_000 },
  }
  const silent = exchange(question)
  while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  stopping.abort()
  const ended = { kind: 'failed', failure: 'unreachable', detail: 'ABORT_ERR' }
  expect([await silent, await exchange(question), asked]).toEqual([ended, ended, 1])
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
