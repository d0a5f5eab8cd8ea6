// The schema engine in WebAssembly, which is part of the npm package: the other one is downloaded from elsewhere.
import { PrismaPg } from "@prisma/adapter-pg";
import { ColumnTypeEnum } from "@prisma/driver-adapter-utils";
import { defineConfig } from "prisma/config";

/** PrismaPg does not know two types of the catalog's columns that the schema engine reads: by OID, "char" and name. */
const CATALOG_TYPES = { 18: ColumnTypeEnum.Character, 19: ColumnTypeEnum.Text };
const TEXT = 25;

class WithCatalogTypes extends PrismaPg {
  async connect() {
    return withCatalogTypes(await super.connect());
  }

  async connectToShadowDb() {
    return withCatalogTypes(await super.connectToShadowDb());
  }
}

function withCatalogTypes(connection) {
  connection.queryRaw = async function (query) {
    const own = [];
    const reading = Object.create(this, {
      performIO: {
        value: async (...args) => {
          const result = await this.performIO(...args);
          result.fields.forEach((field, place) => {
            if (field.dataTypeID in CATALOG_TYPES) {
              own[place] = CATALOG_TYPES[field.dataTypeID];
              field.dataTypeID = TEXT;
            }
          });
          return result;
        },
      },
    });
    const result = await Object.getPrototypeOf(this).queryRaw.call(reading, query);
    return { ...result, columnTypes: result.columnTypes.map((type, place) => own[place] ?? type) };
  };
  return connection;
}

export default defineConfig({
  schema: "schema.prisma",
  experimental: { adapter: true },
  engine: "js",
  adapter: async () => new WithCatalogTypes({ connectionString: process.env.DATABASE_URL }),
});
