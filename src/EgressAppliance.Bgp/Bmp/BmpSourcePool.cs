namespace EgressAppliance.Bgp.Bmp;

/// <summary>
/// The handles of all routers' sources. A handle that is given back goes to the end of the queue, so that it rests as long as possible before it names
/// another table.
/// </summary>
internal sealed class BmpSourcePool(int size)
{
    private readonly Lock _gate = new();
    private readonly Queue<int> _free = [];
    private int _next;

    /// <summary>Takes a handle; false if all are in use.</summary>
    public bool TryTake(out int handle)
    {
        lock (_gate)
        {
            if (_next < size)
            {
                handle = _next++;
                return true;
            }

            return _free.TryDequeue(out handle);
        }
    }

    /// <summary>Gives a handle back.</summary>
    public void Return(int handle)
    {
        lock (_gate)
        {
            _free.Enqueue(handle);
        }
    }
}
