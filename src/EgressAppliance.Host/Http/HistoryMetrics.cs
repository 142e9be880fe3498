using EgressAppliance.Host.History.Store;

namespace EgressAppliance.Host.Http;

/// <summary>The metrics of the history of rates and events.</summary>
internal static class HistoryMetrics
{
    public static void Write(MetricWriter text, HistoryStatus history)
    {
        text.Gauge("egress_history_up", "1 if the history is written, 0 if the disk is full, fails or does not keep up; absent, as what follows, without a history.")
            .Sample(history.Problem is null ? 1 : 0);
        text.Counter("egress_history_rows_total", "Rows added, by table.");
        foreach ((string table, long rows) in history.Added.OrderBy(t => t.Key, StringComparer.Ordinal).DefaultIfEmpty(KeyValuePair.Create("event", 0L)))
        {
            text.Sample(rows, ("table", table));
        }

        text.Gauge("egress_history_size_bytes", "Size of the database and its log.").Sample(history.FileBytes);
        text.Gauge("egress_history_used_bytes", "What of the database holds something; the rest is used again.").Sample(history.UsedBytes);
        text.Gauge("egress_history_max_size_bytes", "Most that it may be (history.max_size).").Sample(history.MaxBytes);
        text.Histogram("egress_history_write_seconds", "Time of the transactions that wrote it.", history.WriteSeconds);
        text.Gauge("egress_history_waiting_ticks", "Minutes that wait to be written.").Sample(history.WaitingTicks);
        text.Counter("egress_history_dropped_ticks_total", "Minutes left out because the disk failed for too long or did not keep up.").Sample(history.DroppedTicks);
        text.Counter("egress_history_dropped_events_total", "Events left out for the same reason.").Sample(history.DroppedEvents);
        text.Counter("egress_history_failures_total", "Times that writing the history failed.").Sample(history.Failures);
        text.Counter("egress_history_trimmed_rows_total", "Rows deleted before their time because the size was reached.").Sample(history.TrimmedRows);
        if (history.Sinks.Count == 0)
        {
            return;
        }

        Each("gauge", "egress_history_sink_up", "1 if the sink takes the history; absent, as what follows, without sinks.", s => s.Problem is null ? 1 : 0);
        Each("gauge", "egress_history_sink_lag_seconds", "How much older the sink's last minute is than the newest of the history.", s => s.LagSeconds ?? 0);
        Each("counter", "egress_history_sink_rows_total", "Rows that the sink took.", s => s.Rows);
        Each("counter", "egress_history_sink_failures_total", "Times that the sink did not take what it was sent.", s => s.Failures);

        void Each(string type, string name, string help, Func<SinkStatus, double> value)
        {
            text.Family(name, type, help);
            foreach (SinkStatus sink in history.Sinks)
            {
                text.Sample(value(sink), ("sink", sink.Name));
            }
        }
    }
}
