namespace EgressAppliance.Snmp;

/// <summary>The last ids sent, to tell late answers from foreign ones.</summary>
internal sealed class RecentIds
{
    private const int Remembered = 32;

    private readonly Queue<int> _ids = new(Remembered);

    public void Add(int id)
    {
        if (_ids.Count == Remembered)
        {
            _ids.Dequeue();
        }

        _ids.Enqueue(id);
    }

    public bool Contains(int id) => _ids.Contains(id);
}
