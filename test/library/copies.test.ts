import { describe, expect, it } from 'vitest'
import { createVerificationCache } from '../../src/core/context.ts'
import { type CollateralSet, prepareCollateral, verify } from '../../src/index.ts'
import { ASKED, akashScene, cpu, cpuPolicy, NOW } from '../reject/stage.ts'

/** What files and sockets give: its `slice` shares memory, so only a real copy keeps a judgement apart from it. */
const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(Array.from(bytes))

describe('bytes that the caller uses again', () => {
  const scene = akashScene(cpu())
  const judged = (evidence: Uint8Array, collateral: CollateralSet) =>
    verify(evidence, {
      now: NOW,
      policy: cpuPolicy(),
      freshness: ASKED,
      collateral,
      lease: null,
      physical: 'unknown',
      referenceValues: [],
      injectedAnchors: scene.anchors,
      cache: createVerificationCache(),
    })
  const judge = async (evidence: Uint8Array, files: readonly Uint8Array[], meanwhile: () => void) => {
    const { collateral } = await prepareCollateral(files.map((bytes, i) => ({ name: `file-${i}`, bytes })))
    meanwhile()
    return judged(evidence, collateral)
  }
  const given = () => {
    if (!(scene.evidence instanceof Uint8Array)) throw new TypeError('one carrier')
    return { evidence: bufferOf(scene.evidence), files: scene.collateral.map(bufferOf) }
  }

  it('collateral is copied when it is prepared', async () => {
    const { evidence, files } = given()
    const decision = await judge(evidence, files, () => {
      for (const file of files) file.fill(0)
    })
    expect(decision.findings).toEqual([])
    expect(decision.verdict).toBe('accept')
  })

  it('evidence is copied when the judgement begins', async () => {
    // A bare report: its bytes are what the signature is checked over, after the chain.
    const machine = cpu()
    const files = [machine.vek, machine.intermediate, machine.crl].map((bytes, i) => ({ name: `file-${i}`, bytes }))
    const { collateral } = await prepareCollateral(files)
    const evidence = bufferOf(machine.report)
    const pending = judged(evidence, collateral)
    evidence.fill(0)
    expect(await pending).toEqual(await judged(machine.report, collateral))
    expect((await pending).verdict).toBe('accept')
  })
})
