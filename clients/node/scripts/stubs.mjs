// Brings the protos that the package needs into dist/, and makes the types of the services among them.
import {execFileSync} from 'node:child_process';
import {cpSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const protos = path.join(root, '../../protos');
const require = createRequire(import.meta.url);

rmSync(path.join(root, 'dist'), {recursive: true, force: true});
for (const folder of ['google/rpc', 'grpc/reflection', 'pinion/compat', 'pinion/routing', 'pinion/registry']) {
  cpSync(path.join(protos, folder), path.join(root, 'dist/protos', folder), {recursive: true});
}
const generated = path.join(root, 'src/generated');
rmSync(generated, {recursive: true, force: true});
const generator = path.join(path.dirname(require.resolve('@grpc/proto-loader/package.json')), 'build/bin/proto-loader-gen-types.js');
// The options are those of src/protos.ts.
execFileSync(process.execPath, [generator, '--longs=String', '--enums=String', '--keepCase', '--oneofs', '--grpcLib=@grpc/grpc-js',
  `--includeDirs=${path.join(root, 'dist/protos')}`, `--outDir=${generated}`,
  'pinion/registry/v1/registry.proto', 'grpc/reflection/v1/reflection.proto'], {stdio: 'inherit'});
