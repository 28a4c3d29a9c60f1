import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NODE_FLAGS } from '../cli/run.ts'

const KEY_ID = 'kbs:///acme/image/k1'
const CLI = resolve(import.meta.dirname, '../../src/cli/main.ts')

/** A skopeo that calls key providers: `scripts/debian-13-skopeo.sh` fetches one. */
const SKOPEO = process.env.VOUCHSAFE_SKOPEO ?? 'skopeo'

/** Debian 12 builds its skopeo 1.9 with ocicrypt 1.0.3, which calls none; nothing can be tried with that one. */
function hasKeyProviders(): boolean {
  const { stdout } = spawnSync(SKOPEO, ['--version'], { encoding: 'utf8' })
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(stdout ?? '') ?? []
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 10)
}

const ABSENT =
  ' (absent: a skopeo from 1.10 on, whose ocicrypt calls key providers: scripts/debian-13-skopeo.sh FOLDER)'

if (!hasKeyProviders()) it.skip(`an image that skopeo encrypts${ABSENT}`, () => {})
else
  describe('an image that skopeo encrypts', () => {
    let folder: string
    let environment: NodeJS.ProcessEnv

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'vouchsafe-ocicrypt-'))
      writeLayout(join(folder, 'plain'))
      environment = { ...process.env, OCICRYPT_KEYPROVIDER_CONFIG: configured('config.json', keyFile('keys.json')) }
    })
    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    const keyFile = (name: string): string => {
      const path = join(folder, name)
      const keys = [{ kty: 'oct', kid: KEY_ID, k: randomBytes(32).toString('base64') }]
      writeFileSync(path, JSON.stringify({ keys }), { mode: 0o600 })
      return path
    }
    const configured = (name: string, keys: string): string => {
      const path = join(folder, name)
      const cmd = { path: process.execPath, args: [...NODE_FLAGS, CLI, 'ocicrypt', '--key-file', keys] }
      writeFileSync(path, JSON.stringify({ 'key-providers': { vouchsafe: { cmd } } }))
      return path
    }
    const skopeo = (env: NodeJS.ProcessEnv, ...args: readonly string[]) => {
      const done = spawnSync(SKOPEO, ['--insecure-policy', 'copy', ...args], { env, encoding: 'utf8' })
      return { status: done.status, stderr: done.stderr }
    }
    const encrypted = () => {
      const how = ['--encryption-key', `provider:vouchsafe:${KEY_ID}`]
      return skopeo(environment, ...how, `oci:${folder}/plain:v1`, `oci:${folder}/sealed:v1`)
    }
    const opened = (env: NodeJS.ProcessEnv, into: string) =>
      skopeo(env, '--decryption-key', 'provider:vouchsafe', `oci:${folder}/sealed:v1`, `oci:${folder}/${into}:v1`)

    it('is opened again with the key, and its layer is what it was', () => {
      expect(encrypted()).toMatchObject({ status: 0 })
      expect(layerOf(join(folder, 'sealed'))).not.toEqual(layerOf(join(folder, 'plain')))
      expect(opened(environment, 'opened')).toMatchObject({ status: 0 })
      expect(layerOf(join(folder, 'opened'))).toEqual(layerOf(join(folder, 'plain')))
    })

    it('is not opened with another key of the same id, nor from a file that others may read', () => {
      const other = {
        ...environment,
        OCICRYPT_KEYPROVIDER_CONFIG: configured('other.json', keyFile('other-keys.json')),
      }
      expect(opened(other, 'refused').status).not.toBe(0)
      const open = keyFile('open-keys.json')
      chmodSync(open, 0o644)
      const exposed = { ...environment, OCICRYPT_KEYPROVIDER_CONFIG: configured('open.json', open) }
      expect(opened(exposed, 'refused').status).not.toBe(0)
    })
  })

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** An image of one layer, in the layout of OCI. */
function writeLayout(path: string): void {
  mkdirSync(join(path, 'blobs/sha256'), { recursive: true })
  const blob = (bytes: Uint8Array, mediaType: string) => {
    writeFileSync(join(path, 'blobs/sha256', sha256(bytes)), bytes)
    return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length }
  }
  const json = (value: object) => Buffer.from(JSON.stringify(value))
  const tar = Buffer.alloc(10_240)
  const oci = (name: string) => `application/vnd.oci.image.${name}`
  const layer = blob(gzipSync(tar), oci('layer.v1.tar+gzip'))
  const rootfs = { type: 'layers', diff_ids: [`sha256:${sha256(tar)}`] }
  const config = blob(json({ architecture: 'amd64', os: 'linux', rootfs }), oci('config.v1+json'))
  const manifest = blob(
    json({ schemaVersion: 2, mediaType: oci('manifest.v1+json'), config, layers: [layer] }),
    oci('manifest.v1+json'),
  )
  const named = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'v1' } }
  writeFileSync(join(path, 'index.json'), json({ schemaVersion: 2, manifests: [named] }))
  writeFileSync(join(path, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }))
}

function layerOf(path: string): string {
  const blobs = join(path, 'blobs/sha256')
  const read = readdirSync(blobs).map((name) => readFileSync(join(blobs, name)))
  const manifest = read.map((b) => b.toString()).find((text) => text.startsWith('{') && text.includes('"layers":['))
  if (manifest === undefined) throw new TypeError('no manifest')
  const { layers } = JSON.parse(manifest) as { layers: { digest: string }[] }
  return sha256(readFileSync(join(blobs, layers[0]?.digest.slice(7) ?? '')))
}
