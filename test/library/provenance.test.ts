import { describe, it } from 'vitest'
import { LIMITS } from '../../src/core/limits.ts'
import { createNvidiaTestPki } from '../../src/testing/nvidia/index.ts'
import { BOARD, CPU, firstOf, h100, leased, ONE_H100 } from '../reject/machines.ts'
import { accepted, refused } from '../reject/row.ts'
import { akashScene, amdCollateral, bothScene, gpus, judged, LEASE, nvidiaCollateral } from '../reject/stage.ts'

describe('collateral that lies beside the evidence', () => {
  const ONE = gpus(ONE_H100.spec)
  /** Everything of NVIDIA's beside the evidence; the verifier's own folder holds what is given. */
  const shown = (revocation: string, own: readonly Uint8Array[]) => {
    const scene = akashScene(CPU, ONE)
    if (!(scene.evidence instanceof Uint8Array)) throw new TypeError('a quote is one file')
    const beside = nvidiaCollateral(ONE).map((bytes, i) => ({ name: `beside-${i}`, bytes }))
    const evidence = [{ name: 'quote.json', bytes: scene.evidence }, ...beside]
    return judged(
      { ...scene, evidence, collateral: [...amdCollateral(CPU), ...own] },
      { policy: h100({ revocation }), lease: LEASE },
    )
  }

  it('serves where the policy takes stapled answers, and is none that the verifier obtained', async () => {
    accepted(await shown('stapled', []))
    refused(await shown('required', []), ['GPU_OCSP_UNAVAILABLE'])
    // The same object in both places is the verifier's.
    accepted(await shown('required', nvidiaCollateral(ONE)))
  })

  it('does not make the verifier work without bound', async () => {
    const pki = createNvidiaTestPki('one more answer')
    const scene = akashScene(CPU, ONE)
    const forged = (count: number) =>
      Array.from({ length: count }, (_, i) =>
        pki.ocsp({
          certificate: firstOf(ONE).device.certificates.identity,
          direct: true,
          nonce: Uint8Array.of(i, i >> 8),
        }),
      )
    const judge = (count: number) => {
      if (!(scene.evidence instanceof Uint8Array)) throw new TypeError('a quote is one file')
      const beside = forged(count).map((bytes, i) => ({ name: `beside-${i}`, bytes }))
      return judged(
        { ...scene, evidence: [{ name: 'quote.json', bytes: scene.evidence }, ...beside] },
        { policy: h100(), lease: LEASE },
      )
    }
    accepted(await judge(LIMITS.besideSignatureChecks))
    refused(await judge(LIMITS.besideSignatureChecks + 1), ['LIMIT_SIGNATURE_BUDGET'])
  })

  it('of a whole board is within what evidence may cost', async () => {
    const nvidia = gpus(BOARD.spec)
    const scene = bothScene(CPU, nvidia)
    if (!(scene.evidence instanceof Uint8Array)) throw new TypeError('a bundle is one file')
    const beside = nvidiaCollateral(nvidia).map((bytes, i) => ({ name: `beside-${i}`, bytes }))
    const evidence = [{ name: 'bundle.json', bytes: scene.evidence }, ...beside]
    accepted(await judged({ ...scene, evidence, collateral: amdCollateral(CPU) }, { policy: h100(), lease: leased(8) }))
  })
})
