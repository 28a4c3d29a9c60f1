import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { toBase64 } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { prepareCollateral } from '../../src/index.ts'
import { leaseOwner } from '../../src/release/index.ts'
import { cocoSnpEvidence } from '../../src/testing/index.ts'
import { cpuMachineOf } from '../gate/support.ts'
import { SIGNED_BY_TEAM } from '../reject/signer.ts'
import { amdCollateral, gpus, loneGpu, nvidiaCollateral } from '../reject/stage.ts'
import { SECRET, TENANT, testBroker } from '../release/support.ts'
import { type Attester, guestKey, KbsClient } from './kbs-client.ts'
import { serviceOver, TOKENS } from './support.ts'

const MANUAL = readFileSync(new URL('../../docs/service.md', import.meta.url), 'utf8')

/** The policy of the manual; whose signature counts, everybody writes for themselves. */
function documentedPolicy(): JsonObject {
  const blocks = [...MANUAL.matchAll(/```json\n([^`]*)```/g)].map(([, text = '']) => text)
  const policy = blocks.find((text) => text.includes('"name": "release-guests"'))
  return { ...JSON.parse(policy ?? ''), ...SIGNED_BY_TEAM }
}

/** The limits of the manual's command: members without quotation marks, as jq takes them. */
const documentedLimits = (): JsonObject =>
  JSON.parse((/limits: (\{[^}]*\})/.exec(MANUAL)?.[1] ?? '').replaceAll(/(\w+):/g, '"$1":'))

it('releases the key that the manual registers to a guest with one H100', async () => {
  const files = [...nvidiaCollateral(gpus())]
  const t = await testBroker({
    isEmpty: true,
    broker: { tenantOf: leaseOwner },
    gate: {
      collateral: async () => (await prepareCollateral(files.map((bytes, i) => ({ name: `${i}`, bytes })))).collateral,
    },
  })
  const { base } = await serviceOver(t, { kbs: { workload: 'kbs-guests', sessionSeconds: 300 } })
  const registered = await fetch(`${base}/v1/tenants/${TENANT}/keys/weights%2Fllama`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${TOKENS.alice}` },
    body: JSON.stringify({ secret: toBase64(SECRET), policy: documentedPolicy(), limits: documentedLimits() }),
  })
  expect(await registered.json()).toMatchObject({ state: 'active', limits: { onlyLeases: ['kbs-guests'] } })

  const attester: Attester = {
    devices: async (reportData) => {
      const { report, chainPem, ocsp } = loneGpu('documented', {}, { nonce: reportData.subarray(0, 32) })
      files.push(...ocsp)
      const device = { evidence: toBase64(report), certificate: Buffer.from(chainPem).toString('base64') }
      return JSON.stringify({ nvidia: { device_evidence_list: [device] } })
    },
    cpu: async (reportData) => {
      const machine = cpuMachineOf(reportData)
      files.push(...amdCollateral(machine))
      return cocoSnpEvidence(machine.report, [
        { type: 'VCEK', der: machine.vek },
        { type: 'ASK', der: machine.intermediate },
      ])
    },
  }
  const guest = new KbsClient(base, { key: guestKey('P-256'), attester, tee: 'snp' })
  expect(await guest.fetch(`${TENANT}/weights/llama`)).toEqual(Buffer.from(SECRET))
})
