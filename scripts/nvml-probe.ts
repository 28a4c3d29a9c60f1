// Prints what the NVML collector answers on this machine: `node scripts/nvml-probe.ts [path of libnvidia-ml.so.1]`.
// Nothing secret: device names, modes, versions, and the sizes and digests of what was collected over a random nonce.
import { createHash, randomBytes } from 'node:crypto'
import { nvmlCollector } from '../src/collect/index.ts'
import { readEvidence } from '../src/collect/nvml/evidence.ts'
import { NvmlSession } from '../src/collect/nvml/session.ts'
import { CODES } from '../src/core/codes.ts'
import type { Fault } from '../src/core/outcome.ts'

const explained = (faults: readonly Fault[]) => faults.map((fault) => ({ ...fault, ...CODES[fault.code] }))
const described = (bytes: Uint8Array) => ({
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
})

const library = process.argv[2]
const collector = nvmlCollector(library === undefined ? {} : { library })
const started = performance.now()
const { facts, faults } = await collector.probe()
const probed = performance.now()
const nonce = new Uint8Array(randomBytes(64))
const collected = await collector.collect({ nonce, key: undefined, binding: 'raw' }, [])
const evidence =
  collected.ok && collected.value.evidence.kind === 'parts'
    ? collected.value.evidence.parts.map(({ id, format, data, certs }) => ({
        ...{ id, format, report: described(data), certs: certs.map(described) },
        answersNonce: Buffer.from(data.subarray(4, 36)).equals(nonce.subarray(0, 32)),
      }))
    : []
// The collector asks no GPU whose confidential mode is off; what the driver answers then is worth knowing.
const asked = await NvmlSession.with(library, async (nvml) => {
  const devices = await nvml.devices()
  if (!devices.ok) return devices
  const answers: unknown[] = []
  for (const device of devices.value) {
    const part = await readEvidence(nvml, device, nonce.subarray(0, 32))
    answers.push({ id: device.id, ...(part.ok ? { report: described(part.value.data) } : { faults: part.faults }) })
  }
  return { ok: true, value: answers }
})
const report = {
  facts,
  probe: explained(faults),
  collect: collected.ok
    ? { ok: true, evidence, faults: explained(collected.value.faults) }
    : { ok: false, faults: explained(collected.faults) },
  askedAnyway: asked.ok ? asked.value : explained(asked.faults),
  milliseconds: { probe: Math.round(probed - started), collect: Math.round(performance.now() - probed) },
}
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
