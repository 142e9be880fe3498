using System.Text;

namespace EgressAppliance.Host.Http;

/// <summary>
/// The page <c>/metrics</c>. It is written once a state and once a second at most, so that many who read it, or one who reads it in a loop, cost the machine no more
/// than one scraper does.
/// </summary>
/// <param name="appliance">What is read.</param>
/// <param name="write">Writes all families.</param>
/// <param name="time">The clock.</param>
public sealed class MetricsPage(IApplianceApi appliance, Action<MetricWriter> write, TimeProvider time)
{
    /// <summary>Of what runs between states, such as processor time, a page as old as this is still told.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Reading? _latest;

    /// <summary>The page as of the present state.</summary>
    public Task<Document> GetAsync()
    {
        StateEventDto state = appliance.State;
        lock (_gate)
        {
            if (_latest is null || !ReferenceEquals(_latest.State, state) || time.GetElapsedTime(_latest.Begun) >= MaxAge)
            {
                _latest = new Reading(state, time.GetTimestamp(), Task.Run(Write));
            }

            return _latest.Page;
        }
    }

    private Document Write()
    {
        using StringWriter text = new();
        write(new PrometheusText(text));
        return Document.Of(Encoding.UTF8.GetBytes(text.ToString()), PrometheusText.ContentType);
    }

    private sealed record Reading(StateEventDto State, long Begun, Task<Document> Page);
}
