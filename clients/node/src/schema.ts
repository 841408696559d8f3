/**
 * The schema of a server's API, as protoc writes it: what the registry is told, and what the server shows by reflection. Its files are
 * kept as bytes, since decoding them loses the options that nobody here knows; so both see the same.
 */
import * as protobuf from 'protobufjs';
import {
  FileDescriptorProto, IDescriptorProto, IEnumDescriptorProto, IFieldDescriptorProto, IFileDescriptorProto,
} from 'protobufjs/ext/descriptor';

// As google.protobuf.FileDescriptorSet, but for what is in its files.
const FILES = new protobuf.Type('Files').add(new protobuf.Field('file', 1, 'bytes', 'repeated'));
new protobuf.Root().add(FILES);

interface File {
  name: string;
  imports: string[];
  bytes: Uint8Array;
}

export class Schema {
  readonly #files = new Map<string, File>();
  readonly #declaring = new Map<string, File>(); // by the full name of what is declared
  readonly #extensions = new Map<string, Map<number, File>>(); // by the full name of what is extended

  /** `bytes`: a serialised FileDescriptorSet. Throws an Error that says why it is none of these gRPC services. */
  constructor(readonly bytes: Uint8Array, readonly grpcServices: string[]) {
    const services: string[] = [];
    for (const [file, described] of decoded(bytes)) {
      this.#files.set(file.name, file);
      this.#index(file, described, services);
    }
    for (const {name, imports} of this.#files.values()) {
      const missing = imports.find(imported => !this.#files.has(imported));
      if (missing) throw new Error(`descriptorSet: ${name} imports ${missing}, which is not there; protoc takes --include_imports`);
    }
    const absent = grpcServices.find(name => !services.includes(name));
    if (absent) throw new Error(`descriptorSet: has no service ${absent}; it has ${services.join(', ') || 'none at all'}`);
  }

  /** The file that declares something, by its full name, and all that it imports; undefined: nobody does. */
  declaring(name: string): Uint8Array[] | undefined {
    return this.#withImports(this.#declaring.get(name));
  }

  file(name: string): Uint8Array[] | undefined {
    return this.#withImports(this.#files.get(name));
  }

  extension(extended: string, number: number): Uint8Array[] | undefined {
    return this.#withImports(this.#extensions.get(extended)?.get(number));
  }

  /** The numbers of all extensions of a message; undefined: it is not declared here. */
  extensionsOf(message: string): number[] | undefined {
    const known = this.#extensions.get(message) ?? (this.#declaring.has(message) ? new Map<number, File>() : undefined);
    return known && [...known.keys()];
  }

  #withImports(file: File | undefined): Uint8Array[] | undefined {
    if (!file) return undefined;
    const found = new Set([file]); // grows while it is gone through
    for (const {imports} of found) for (const name of imports) found.add(this.#files.get(name)!);
    return [...found].map(({bytes}) => bytes);
  }

  #index(file: File, described: IFileDescriptorProto, services: string[]): void {
    const scope = described.package ?? '';
    this.#addTypes(file, scope, described.messageType, described.enumType, described.extension);
    for (const service of described.service ?? []) {
      const name = this.#add(file, scope, service.name);
      services.push(name);
      for (const method of service.method ?? []) this.#add(file, name, method.name);
    }
  }

  #addTypes(file: File, scope: string, messages: IDescriptorProto[] = [], enums: IEnumDescriptorProto[] = [],
    extensions: IFieldDescriptorProto[] = []): void {
    for (const message of messages) {
      const name = this.#add(file, scope, message.name);
      for (const field of message.field ?? []) this.#add(file, name, field.name);
      this.#addTypes(file, name, message.nestedType, message.enumType, message.extension);
    }
    for (const {name} of enums) this.#add(file, scope, name);
    for (const {name, extendee = '', number = 0} of extensions) {
      this.#add(file, scope, name);
      const extended = extendee.replace(/^\./, '');
      this.#extensions.set(extended, (this.#extensions.get(extended) ?? new Map()).set(number, file));
    }
  }

  #add(file: File, scope: string, name = ''): string {
    const full = scope === '' ? name : `${scope}.${name}`;
    this.#declaring.set(full, file);
    return full;
  }
}

function decoded(bytes: Uint8Array): [File, IFileDescriptorProto][] {
  try {
    return (FILES.decode(bytes) as unknown as {file: Uint8Array[]}).file.map(each => {
      const described = FileDescriptorProto.decode(each) as IFileDescriptorProto;
      if (!described.name) throw new Error('a file without a name');
      return [{name: described.name, imports: described.dependency ?? [], bytes: each}, described];
    });
  } catch (error) {
    throw new Error(`descriptorSet: is no FileDescriptorSet, as protoc writes it (${(error as Error).message})`);
  }
}
