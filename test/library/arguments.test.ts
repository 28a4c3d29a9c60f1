import { describe, expect, it } from 'vitest'
import { createVerificationCache } from '../../src/core/context.ts'
import { NO_COLLATERAL, type VerifyContext, verify } from '../../src/index.ts'
import { ASKED, cpu, cpuPolicy, NOW } from '../reject/stage.ts'

const CONTEXT: VerifyContext = {
  now: NOW,
  policy: cpuPolicy(),
  freshness: ASKED,
  collateral: NO_COLLATERAL,
  lease: { teeType: 'cpu' },
  physical: 'unknown',
  referenceValues: [],
  injectedAnchors: [],
  cache: createVerificationCache(),
}
const { report } = cpu()
/** As a caller without types would. */
const called = (context: object, evidence: unknown = report) =>
  Reflect.apply(verify, undefined, [evidence, { ...CONTEXT, ...context }])

describe('verify, called wrongly', () => {
  it('judges where everything is as it should be', async () => {
    expect(await verify(report, CONTEXT)).toMatchObject({ schema: 'vouchsafe/decision/1' })
  })

  it.each([
    ['a lease of other spelling', { lease: { tee_type: 'cpu-gpu' } }, 'lease has no member "tee_type"'],
    ['a lease of other value', { lease: { teeType: 'CPU-GPU' } }, 'lease.teeType'],
    ['an unknown member', { lease: { teeType: 'cpu', gpus: 8 } }, '"gpus"'],
    ['a count as text', { lease: { teeType: 'cpu-gpu', gpuCount: '1' } }, 'lease.gpuCount'],
    ['no lease at all', { lease: undefined }, 'lease'],
    ['freshness of no kind', { freshness: { kind: 'Nonce', nonce: new Uint8Array(64) } }, 'freshness.kind'],
    ['a nonce as text', { freshness: { kind: 'nonce', nonce: '00' } }, 'freshness.nonce'],
    ['a place of no kind', { physical: 'good' }, 'physical'],
    ['a policy as text', { policy: '{}' }, 'parsePolicy'],
    ['a policy made by hand', { policy: { version: 1 } }, 'parsePolicy'],
    ['anchors as text', { injectedAnchors: ['-----BEGIN CERTIFICATE-----'] }, 'injectedAnchors'],
    ['no collateral', { collateral: undefined }, 'collateral'],
    ['no cache', { cache: undefined }, 'cache'],
    ['milliseconds', { now: NOW * 1000 }, 'now'],
  ])('%s is a TypeError that names it', async (_, context, named) => {
    await expect(called(context)).rejects.toThrow(TypeError)
    await expect(called(context)).rejects.toThrow(named)
  })

  it('evidence that is neither bytes nor files is a TypeError', async () => {
    await expect(called({}, 'text')).rejects.toThrow(TypeError)
    await expect(called({}, [{ name: 'a' }])).rejects.toThrow(TypeError)
  })
})
