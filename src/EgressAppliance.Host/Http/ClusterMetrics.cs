namespace EgressAppliance.Host.Http;

/// <summary>The metrics of a site of several boxes.</summary>
public static class ClusterMetrics
{
    /// <summary>Writes them; nothing of a box that is alone.</summary>
    public static void Write(MetricWriter text, ClusterDto cluster)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(cluster);
        if (cluster.Broker is { } broker)
        {
            text.Gauge("egress_cluster_broker_up", "1 if a broker is connected; absent, as what follows, on a box that is alone.").Sample(broker.ConnectedTo is null ? 0 : 1);
            text.Counter("egress_cluster_messages_total", "Ticks that a broker has taken (collector), or that came (controller).").Sample(broker.Messages);
            text.Counter("egress_cluster_message_bytes_total", "Their octets.").Sample(broker.Bytes);
            text.Counter("egress_cluster_repeated_messages_total", "Ticks sent once more, or delivered again.").Sample(broker.Repeated);
            text.Counter("egress_cluster_unconfirmed_messages_total", "Ticks sent on without confirmation, since some controller's queue does not answer.").Sample(broker.Unconfirmed);
            text.Counter("egress_cluster_returned_messages_total", "Ticks that no controller has a queue for.").Sample(broker.Returned);
            text.Counter("egress_cluster_dropped_ticks_total", "Ticks given up because too many waited for a broker.").Sample(broker.Dropped);
            text.Gauge("egress_cluster_waiting_ticks", "Ticks that wait for a broker.").Sample(broker.Waiting);
            text.Counter("egress_cluster_unreadable_messages_total", "Messages that could not be read, by fault.");
            foreach ((string fault, long count) in broker.Unreadable.OrderBy(u => u.Key, StringComparer.Ordinal))
            {
                text.Sample(count, ("fault", fault));
            }
        }

        if (cluster.Database is { } database)
        {
            text.Gauge("egress_cluster_leader", "1 if this controller leads the site; absent, as what follows, on other boxes.").Sample(cluster.Leads ? 1 : 0);
            text.Gauge("egress_cluster_token", "Number of the leadership: it grows with each change of the leader.").Sample(cluster.Token);
            text.Gauge("egress_cluster_database_up", "1 if the controllers' database answers.").Sample(database.Problem is null ? 1 : 0);
            text.Counter("egress_cluster_database_failures_total", "Exchanges about the lease that failed.").Sample(database.Failures);
            text.Gauge("egress_cluster_controller_ready", "1 if the controller could decide well.");
            foreach (ControllerDto controller in cluster.Controllers)
            {
                text.Sample(controller.Ready ? 1 : 0, ("box", controller.Box));
            }
        }

        if (cluster.Collectors.Count == 0)
        {
            return;
        }

        Each("gauge", "egress_collector_up", "1 if the collector was heard of the latest tick.", c => c.State == "missing" ? 0 : 1);
        Each("gauge", "egress_collector_lateness_seconds", "Time from the end of its latest tick to its arrival.", c => c.LatenessSeconds);
        Each("gauge", "egress_collector_bits_per_second", "IP bits a second of its latest tick.", c => c.BitsPerSecond);
        Each("gauge", "egress_collector_cells", "Prefixes by links with traffic in it.", c => c.Cells);
        Each("counter", "egress_collector_ticks_total", "Ticks that came.", c => c.Deltas);
        Each("counter", "egress_collector_lost_ticks_total", "Ticks that never came, by the sequence numbers.", c => c.Lost);
        Each("counter", "egress_collector_gaps_total", "Ticks without anything from it.", c => c.Gaps);
        Each("counter", "egress_collector_restarts_total", "Restarts of its program.", c => c.Restarts);

        void Each(string type, string name, string help, Func<CollectorDto, double> value)
        {
            _ = type == "counter" ? text.Counter(name, help) : text.Gauge(name, help);
            foreach (CollectorDto collector in cluster.Collectors)
            {
                text.Sample(value(collector), ("box", collector.Box));
            }
        }
    }
}
