import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fetchNative } from '../../src/agent/native.ts'
import { outputOf } from '../../src/cli/fetch-key/output.ts'
import { deviceNonceFor } from '../../src/collect/answers.ts'
import { type Collector, tsmCollector } from '../../src/collect/index.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { toBase64 } from '../../src/core/encodings.ts'
import { ok, take } from '../../src/core/outcome.ts'
import { digestOfPolicy, prepareCollateral } from '../../src/index.ts'
import { weightsSecret } from '../../src/release/index.ts'
import { safetensorsFile } from '../../src/testing/index.ts'
import { inspectModel, modelKeyFile, newModelKey, openModel, readKeyFile, sealModel } from '../../src/weights/index.ts'
import { TsmKernel } from '../collect/tsm-kernel.ts'
import { cpuMachineOf, leaseId, OWNER, orderOf, PROVIDER } from '../gate/support.ts'
import { amdCollateral, gpus, loneGpu, nvidiaCollateral, policyOf } from '../reject/stage.ts'
import { serviceOver, TOKENS } from '../service/support.ts'
import { contentOf, folderOf, fresh, tensor } from '../weights/stage.ts'
import { GPU_KEY_DOCUMENT, KEY, LIMITLESS, TENANT, testBroker } from './support.ts'

const SHARDS = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const
const FIRST = [tensor('embed', 'F32', [300, 1024], 4 * 300 * 1024), tensor('norm', 'BF16', [64], 128)]
const SECOND = [tensor('head', 'F16', [512, 1024], 2 * 512 * 1024)]
const MODEL = {
  [SHARDS[0]]: safetensorsFile(FIRST, { format: 'pt' }),
  [SHARDS[1]]: safetensorsFile(SECOND, { format: 'pt' }),
  'model.safetensors.index.json': JSON.stringify({
    metadata: { total_size: 1 },
    weight_map: { embed: SHARDS[0], norm: SHARDS[0], head: SHARDS[1] },
  }),
  'config.json': '{"model_type":"llama"}',
}

const POLICY = policyOf(GPU_KEY_DOCUMENT)

it('seals a model, releases its key to the proved SNP machine with its H100, and opens it there', async () => {
  const files = [...nvidiaCollateral(gpus())]
  const t = await testBroker({
    isEmpty: true,
    gate: {
      collateral: async () => (await prepareCollateral(files.map((bytes, i) => ({ name: `${i}`, bytes })))).collateral,
    },
  })
  const { base } = await serviceOver(t)

  // The tenant: seals, stores the folder anywhere, registers the key under its policy.
  const [input, sealed, opened] = [folderOf(MODEL), fresh('sealed'), fresh('opened')]
  const modelKey = newModelKey()
  take(await sealModel({ input, output: sealed, key: modelKey, policyDigest: await digestOfPolicy(POLICY) }))
  for (const shard of SHARDS) expect(readFileSync(join(sealed, shard))).not.toEqual(readFileSync(join(input, shard)))
  const secret = take(weightsSecret(utf8(modelKeyFile({ ...modelKey, signing: undefined }))))
  const call = async (method: string, path: string, token: string, body: object) =>
    (
      await fetch(`${base}${path}`, {
        method,
        body: JSON.stringify(body),
        headers: { authorization: `Bearer ${token}` },
      })
    ).status
  const registration = { secret: toBase64(secret), policy: GPU_KEY_DOCUMENT, limits: { ...LIMITLESS, releases: 1 } }
  expect(await call('PUT', `/v1/tenants/${TENANT}/keys/${KEY.keyId}`, TOKENS.alice, registration)).toBe(200)
  const bought = { lease: leaseId(), order: orderOf({ units: 1 }), hostData: null, key: KEY }
  expect(await call('POST', '/v1/leases', TOKENS.market, bought)).toBe(204)

  // The machine: an SNP guest whose driver shows one H100.
  const driver: Collector = {
    name: 'driver',
    makes: 'devices',
    probe: async () => ({ faults: [], facts: {} }),
    collect: async (question) => {
      const { report, chainPem, ocsp } = loneGpu('round-trip', {}, { nonce: await deviceNonceFor(question) })
      files.push(...ocsp)
      const part = { id: 'gpu-0', format: 'nvidia/gpu-report' as const, data: report, certs: [utf8(chainPem)] }
      return ok({ evidence: { kind: 'parts', parts: [part] }, faults: [] })
    },
  }
  const kernel = new TsmKernel({
    name: 'sev_guest',
    report: (inblob) => {
      const machine = cpuMachineOf(inblob)
      files.push(...amdCollateral(machine))
      return machine.report
    },
    auxblob: (inblob) => cpuMachineOf(inblob).table,
  })
  const request = {
    ...{ service: { url: base, ca: [] }, ...KEY, lease: `${OWNER}/18412345/1/1/${PROVIDER}/0` },
    ...{ collectors: [driver, tsmCollector({ files: kernel })] as const, binding: 'composite' as const },
  }
  const released = take(await fetchNative(request))
  expect(released).toEqual(secret)
  const keyFile = fresh('model.jwk')
  take(await (await outputOf({ weightsKey: keyFile }, () => undefined)).write(released))
  expect(statSync(keyFile).mode & 0o777).toBe(0o600)

  // The loader: the released key opens the folder, every tensor and file as it was.
  const key = take(await readKeyFile(keyFile))
  expect(key.signing).toBeUndefined()
  take(await openModel({ input: sealed, output: opened, key, plainTensors: 'refuse' }))
  expect(contentOf(opened)).toEqual(contentOf(input))
  expect((await inspectModel(sealed)).ok).toBe(true)

  // Once, as the limit says; and nothing of it was opened for the second.
  const again = await fetchNative(request)
  expect(again.ok ? [] : again.faults.map(({ code }) => code)).toEqual(['RELEASE_KEY_LIMIT'])
  expect(t.vault.opened).toHaveLength(1)
  expect((await t.entries()).map(({ type }) => type)).toEqual(['key.registered', 'key.released', 'key.refused'])
})
