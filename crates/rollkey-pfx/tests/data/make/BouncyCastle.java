// Makes files with Bouncy Castle and with Java itself, of the key in chain.pfx:
//   java -cp bcprov.jar:bcutil.jar:bcpkix.jar BouncyCastle.java DIRECTORY

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.security.Key;
import java.security.KeyStore;
import java.security.Security;
import java.security.cert.Certificate;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

class BouncyCastle {
    static String directory;

    static KeyStore empty(String type, String provider) throws Exception {
        KeyStore store =
            provider == null ? KeyStore.getInstance(type) : KeyStore.getInstance(type, provider);
        store.load(null, null);
        return store;
    }

    static void save(KeyStore store, String name, String password, String expected) throws Exception {
        try (var file = new FileOutputStream(directory + "/" + name + ".pfx")) {
            store.store(file, password.toCharArray());
        }
        System.out.println(name + "\t" + password + "\t" + expected);
    }

    public static void main(String[] arguments) throws Exception {
        directory = arguments[0];
        Security.addProvider(new BouncyCastleProvider());
        char[] secret = "secret".toCharArray();
        KeyStore source = KeyStore.getInstance("PKCS12");
        source.load(new FileInputStream(directory + "/chain.pfx"), secret);
        String alias = source.aliases().nextElement();
        Key key = source.getKey(alias, secret);
        Certificate[] chain = source.getCertificateChain(alias);

        KeyStore store = empty("PKCS12", "BC");
        store.setKeyEntry("alias", key, null, chain);
        save(store, "bc-default", "secret", "1\t3");
        save(store, "bc-nonascii", "pässwörd€", "1\t3");
        save(store, "bc-empty", "", "1\t3");
        store = empty("PKCS12-DEF", "BC");
        store.setKeyEntry("alias", key, null, chain);
        save(store, "bc-def", "secret", "1\t3");

        store = empty("PKCS12", null);
        store.setKeyEntry("k", key, secret, chain);
        store.setKeyEntry("aes", new SecretKeySpec(new byte[32], "AES"), secret, null);
        store.setCertificateEntry("ca", chain[chain.length - 1]);
        save(store, "java-secret-and-trusted", "secret", "1\t4");
        store = empty("PKCS12", null);
        store.setKeyEntry("k", key, "other".toCharArray(), chain);
        save(store, "java-second-password", "secret", "E\tPartLocked");
        store = empty("PKCS12", null);
        store.setKeyEntry("k", key, new char[0], chain);
        save(store, "java-empty-password", "", "1\t3");
    }
}
