import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.hdfs.MiniDFSNNTopology;
import org.apache.hadoop.hdfs.server.namenode.ha.HATestUtil;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.server.MiniYARNCluster;

/**
 * HDFS with high availability (two NameNodes, {@code hdfs://ours}) and YARN (two NodeManagers) in
 * this process, until its standard input ends: {@code java MiniHadoop.java DIRECTORY}. Clients are
 * configured by {@code DIRECTORY/conf}, which must be on the class path too. A line {@code failover}
 * makes the other NameNode active.
 *
 * <p>Java compiles it as it starts it: so these parts of Hadoop are on the class path of no test.
 */
public final class MiniHadoop {
  private MiniHadoop() {}

  public static void main(String[] args) throws Exception {
    Path directory = Path.of(args[0]).toAbsolutePath();
    Path site = directory.resolve("conf");
    Configuration conf = new YarnConfiguration();
    conf.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, directory.resolve("dfs").toString());
    conf.setInt("dfs.ha.tail-edits.period", 1);
    conf.setInt("dfs.replication", 1);
    MiniDFSCluster dfs =
        new MiniDFSCluster.Builder(conf)
            .nnTopology(MiniDFSNNTopology.simpleHATopology())
            .numDataNodes(1)
            .build();
    dfs.waitActive();
    dfs.transitionToActive(0);
    HATestUtil.setFailoverConfigurations(dfs, conf, "ours");
    // The mini cluster's own class for it is not among the clients'.
    conf.set("net.topology.node.switch.mapping.impl", "org.apache.hadoop.net.ScriptBasedMapping");
    write(conf, site.resolve("hdfs-site.xml")); // what fetches a container's files reads it there

    conf.setInt("yarn.scheduler.minimum-allocation-mb", 256);
    conf.setInt("yarn.nodemanager.resource.memory-mb", 6144);
    conf.setInt("yarn.nodemanager.resource.cpu-vcores", 8);
    conf.setBoolean("yarn.nodemanager.pmem-check-enabled", false);
    conf.setBoolean("yarn.nodemanager.vmem-check-enabled", false);
    conf.setFloat(
        "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage", 100);
    conf.set("yarn.scheduler.capacity.maximum-am-resource-percent", "1.0");
    conf.set("yarn.scheduler.capacity.root.queues", "default");
    conf.setInt("yarn.scheduler.capacity.root.default.capacity", 100);
    System.setProperty("test.build.data", directory.resolve("yarn").toString());
    MiniYARNCluster yarn = new MiniYARNCluster("mini", 2, 1, 1);
    yarn.init(conf);
    yarn.start();
    if (!yarn.waitForNodeManagersToConnect(60_000)) {
      throw new IllegalStateException("no NodeManagers");
    }
    // In each, since the defaults of every part come after the site of the one before.
    for (String part : List.of("core", "hdfs", "yarn")) {
      write(yarn.getConfig(), site.resolve(part + "-site.xml"));
    }
    System.out.println("ready");

    int active = 0;
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.equals("failover")) {
        dfs.transitionToStandby(active);
        active = 1 - active;
        dfs.transitionToActive(active);
        System.out.println("active: " + active);
      }
    }
    yarn.stop();
    dfs.shutdown();
    System.exit(0);
  }

  private static void write(Configuration conf, Path file) throws IOException {
    try (var out = Files.newOutputStream(file)) {
      conf.writeXml(out);
    }
  }
}
