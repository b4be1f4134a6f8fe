import * as clock from "./clock.js";
import * as designer from "./designer.js";
import * as film from "./film.js";
import * as keys from "./keys.js";
import * as stream from "./stream.js";

clock.start();
keys.start();
stream.start();
film.start();
designer.start();
